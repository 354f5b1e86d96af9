"""Wire formats that the clients of several providers share, a file each."""
