"""How the database came to be, one file in `versions` per revision, applied in order by Alembic.

To change the database: change `tables`, add a file to `versions`, never edit one that was released.
"""
