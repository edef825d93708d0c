//go:build race

package kbus_test

const raceEnabled = true
