"""Values that everything else works with: identities, tokens, secrets and what hides them."""
