"""What events mean: which row they belong to, how they merge, how a service log spells them. Pure."""
