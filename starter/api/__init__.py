"""The JSON API, and what all of the web server's ways in share: connection, guard, errors."""
