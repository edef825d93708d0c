package kbus

import (
	"reflect"
	"strings"
	"testing"

	"kbus.example/kbus/internal/wire"
)

// Nothing that the daemon tells of a Ksock is lost on the way, and nothing takes another's place.
func TestKsockInfoIsWhole(t *testing.T) {
	var e wire.KsockEntry
	from := reflect.ValueOf(&e).Elem()
	for i := range from.NumField() {
		if f := from.Field(i); f.Kind() == reflect.Uint32 {
			f.SetUint(uint64(i + 1))
		}
	}
	e.Party = wire.Party{Ksock: 100, PID: 101, UID: 102, Program: "a program"}
	info := ksockInfo(e)
	if info.Party != party(e.Party) {
		t.Errorf("party %v", info.Party)
	}
	if info.Missed != uint64(e.MissedHigh)<<32|uint64(e.Missed) {
		t.Errorf("missed %d", info.Missed)
	}
	if info.LastSent != (ID{Network: e.LastNetwork, Serial: e.LastSerial}) {
		t.Errorf("last sent %v", info.LastSent)
	}
	e.Missed, e.MissedHigh = 0, 0
	to := reflect.ValueOf(info)
	for i := range from.NumField() {
		name := from.Type().Field(i).Name
		if from.Field(i).Kind() != reflect.Uint32 || from.Field(i).Uint() == 0 || strings.HasPrefix(name, "Last") {
			continue
		}
		switch f := to.FieldByName(name); f.Kind() {
		case reflect.Bool:
			if !f.Bool() {
				t.Errorf("%s is not set", name)
			}
		default:
			if f.Uint() != uint64(i+1) {
				t.Errorf("%s is %v, not %d", name, f, i+1)
			}
		}
	}
}
