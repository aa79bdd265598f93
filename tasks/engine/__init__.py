"""The fetch engine: from declarations and responses to rows, batches and the state of a scope."""
