"""The REST API: one file a noun. `app.api.application.create_app` puts them together."""
