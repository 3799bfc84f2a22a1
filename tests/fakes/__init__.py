"""Local servers on real sockets that stand in for the services Pupil talks to."""
