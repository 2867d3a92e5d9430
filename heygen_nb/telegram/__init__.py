"""Posts to Telegram: ``captions`` cuts texts, ``poster`` sends, once or unsure."""
