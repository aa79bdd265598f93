"""What appeared, changed and went between runs: recorded by the writer, in the transaction that makes it so."""
