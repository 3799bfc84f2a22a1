"""What the commands of `bot.__main__` do: one file each where there is something to do, and how all of them end.

Commands import these when they run, so that --help is light.
"""
