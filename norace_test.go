//go:build !race

package kbus_test

const raceEnabled = false
