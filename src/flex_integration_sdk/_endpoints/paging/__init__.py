"""All resources that a query finds, page after page."""
