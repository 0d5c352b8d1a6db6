"""The database: models, migrations, the engine, and one module of functions a noun."""
