//! Configuration: YAML compiled once into types that cannot be wrong.
