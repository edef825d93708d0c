package server

import "testing"

// A server makes its table of descriptors long enough when it starts, and again when limits.connections may have changed.
func TestRoomForDescriptors(t *testing.T) {
	b := start(t, func(c *Config) { c.Limits.Connections = 100 })
	b.Await("room for descriptors", "descriptors=656") // 4 each, and 256
	config := b.config
	config.Limits.Connections = 150
	if err := b.Reload(config); err != nil {
		t.Fatal(err)
	}
	b.Await("room for descriptors", "descriptors=856")
}
