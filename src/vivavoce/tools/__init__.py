"""Tools that come with the package, and those of MCP servers."""
