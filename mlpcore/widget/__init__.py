"""The playground: a network that is trained batch by batch and equation by equation before your eyes."""
