"""Operations of the management API on connections, their domains and joining rules."""
