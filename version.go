package kbus

// Version is that of KBUS: library, daemon and programs together.
const Version = "0.1.0"
