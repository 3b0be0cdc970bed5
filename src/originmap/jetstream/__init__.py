"""The change feed through NATS JetStream: publishing it, and following it."""
