"""What figures share: style, axes, layout, placing of labels, files."""
