"""How the web is asked: which addresses, how often, in which bounds. The door itself is `tools.fetching`."""
