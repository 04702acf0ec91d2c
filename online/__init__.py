"""What learns and decides: River models, labels, the ensemble, alerts and recommendations. Knows nothing of Kafka."""
