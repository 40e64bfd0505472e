"""The dashboard: frames of pages from the server, filled by ES modules from the JSON API. No build step, all from this server."""
