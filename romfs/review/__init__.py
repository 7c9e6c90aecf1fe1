"""Reviews a site before it is cut into stone; README.md says what is looked for."""
