"""The dashboard: server-rendered frames of pages, filled by ES modules from the JSON API. No build step, nothing from elsewhere."""
