"""The commands of the project: each launcher here starts one of these packages."""
