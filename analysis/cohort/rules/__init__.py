"""What columns should hold: schemas, what names say, likely data errors."""
