"""What provisioners, jobs, templates, builds and workspaces mean: their lanes, derived status, and rules. Pure."""
