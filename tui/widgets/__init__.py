"""The widgets of the dashboard: panels, tables, pictures and text fields."""
