"""Programs that hold a library as a server. They run with the packages of that server."""
