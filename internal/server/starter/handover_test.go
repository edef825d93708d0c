package starter

import (
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"kbus.example/kbus/internal/bus"
	"kbus.example/kbus/internal/logger"
	"kbus.example/kbus/internal/services"
)

// one is a Starter with one service, for $.A.
func one(t *testing.T, program ...string) (*Starter, <-chan string) {
	said := make(chan string, 10)
	s := New(logger.New(logger.Discard), os.TempDir, func(_ int, name, why string) { said <- name + ": " + why })
	s.Use(&services.Set{Services: []*services.Service{{Names: []string{"$.A"}, Exec: program, Deadline: 1 << 40}}})
	t.Cleanup(func() {
		s.Hurry()
		s.End()
	})
	return s, said
}

var wanted = []bus.Call{{Name: "$.A"}}

func none(int) int { return 0 }

// TestWantedWhileAllStandsStill: it is started when all goes on, and not before.
func TestWantedWhileAllStandsStill(t *testing.T) {
	s, said := one(t, "/bin/false")
	if err := HoldStill(s); err != nil {
		t.Fatal(err)
	}
	s.Called(0, wanted)
	state, err := StateOf(s, none)
	if err != nil || len(state.Services) != 1 || state.Services[0].Runs || len(state.Guardians) != 0 {
		t.Errorf("%+v, %v", state, err)
	}
	GoOn(s)
	if got := <-said; got != "$.A: /bin/false: the program exited with status 1" {
		t.Error(got)
	}
}

// TestEndWhileAllStandsStill: nobody waits for a program that ends, so that whoever goes on can; and a Replier that is bound meanwhile is
// known to both.
func TestEndWhileAllStandsStill(t *testing.T) {
	s, said := one(t, "/bin/sleep", "1000000")
	s.Called(0, wanted)
	if err := HoldStill(s); err != nil { // when it has been started
		t.Fatal(err)
	}
	s.Called(0, []bus.Call{{Name: "$.A", Bound: true}})
	pid := int(s.Services(0)[0].PID)
	unix.Kill(pid, unix.SIGKILL)
	awaitEnd(pid)
	for range 20_000 { // who waited for it would have done so by then
		if runtime.Gosched(); unix.Kill(pid, 0) != nil {
			t.Fatal("it was waited for")
		}
	}
	state, err := StateOf(s, none)
	if one := state.Services[0]; err != nil || !one.Runs || !one.Bound || one.PID != pid || one.Guardian != 0 || len(state.Guardians) != 1 {
		t.Errorf("%+v, %v", state, err)
	}
	GoOn(s)
	for s.Services(0)[0].PID != 0 { // until that is known
	}
	if got := s.Services(0)[0]; got.Failures != 1 || got.LastFailure != "the program was ended by signal 9 (killed)" {
		t.Errorf("%+v", got)
	}
	select {
	case why := <-said:
		t.Errorf("it was bound, and %s", why)
	default:
	}
}

// TestResumedStatesAreChecked: a program must have a guardian that is there.
func TestResumedStatesAreChecked(t *testing.T) {
	fd := func(index int) int {
		if index == 0 {
			return -1
		}
		fd, err := unix.Eventfd(0, unix.EFD_NONBLOCK)
		if err != nil {
			t.Fatal(err)
		}
		return fd
	}
	for _, s := range []State{
		{Guardians: []int{0}},
		{KeeperState: services.KeeperState{Services: []services.ServiceState{{Runs: true, PID: 1, Guardian: -1}}}},
		{KeeperState: services.KeeperState{Services: []services.ServiceState{{Runs: true, PID: 1, Guardian: 0}}}},
		{KeeperState: services.KeeperState{Services: []services.ServiceState{{Runs: true, PID: 0, Guardian: 0}}}, Guardians: []int{1}},
	} {
		if _, err := Resumed(&s, fd); err != errNoGuardian {
			t.Errorf("%+v: %v", s, err)
		}
	}
}
