"""The web page at /ui/: server-rendered, with the API's own handlers behind it."""
