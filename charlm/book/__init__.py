"""What only the book's pages need; nothing here is taught."""
