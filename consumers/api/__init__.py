"""Operations of the management API on consumers, their people and the audit record."""
