"""What every address of the management API shares: who calls, what is read, how it is answered and described."""
