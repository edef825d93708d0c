package loop

import "kbus.example/kbus/internal/logger"

// home is the process that a loop is in.
type home struct {
	number       int // of the bus
	host         Host
	log          *logger.Logger
	lastReporter uint32 // process that last turned replier bind events on or off; see noteSwitched
}
