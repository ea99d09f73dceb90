"""What could fool us: measurement error, and the choices that an analysis makes."""
