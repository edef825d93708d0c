package main

import (
	systemd "github.com/coreos/go-systemd/v22/daemon"
)

// A service that systemd has started as Type=notify tells it when its names are bound, or when a monitor looks, so that what comes after it finds
// them, and is seen. Without systemd this does nothing.

func ready() { notify(systemd.SdNotifyReady) }

// notify sends systemd a notice; a failure of that could be reported to no one.
func notify(state string) { _, _ = systemd.SdNotify(false, state) }
