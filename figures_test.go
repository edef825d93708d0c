package kbus

import (
	"reflect"
	"testing"

	"kbus/internal/wire"
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
	if info.Party != Party(e.Party) {
		t.Errorf("party %v", info.Party)
	}
	to := reflect.ValueOf(info)
	for i := range from.NumField() {
		name := from.Type().Field(i).Name
		if from.Field(i).Kind() == reflect.Uint32 && to.FieldByName(name).Uint() != uint64(i+1) {
			t.Errorf("%s is %v, not %d", name, to.FieldByName(name), i+1)
		}
	}
}
