package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// peer is one row of the comparison: a way to reach a bus, and how to start that bus.
type peer struct {
	name     string
	title    string   // in the table
	programs []string // that must be installed
	packages []string // C libraries, as pkg-config knows them
	debian   string   // packages to install for them
	source   string   // of the client: a file in peers/, or "" if it is in Go
	more     []string // other files of it
	client   string   // program, in the work directory; arguments may follow
	modules  []string // of Python
	library  string   // a C library that pkg-config does not know, by its header
	link     string   // and how the linker knows it
	noIdle   bool     // there is no broker whose memory could be measured
	asksOnly bool     // it has round trips and nothing else

	// start starts the broker, and gives the environment for the clients. The bus is the process numbers in
	// BROKER_PID.
	start func(s *site) (environment []string, err error)
}

// ours tells the rows that are KBUS, limits those that are no bus at all.
func (p *peer) ours() bool   { return strings.HasPrefix(p.name, "kbus") }
func (p *peer) limits() bool { return strings.HasPrefix(p.name, "raw") }

func peers() []*peer {
	return []*peer{
		{name: "raw-ring", title: "*limit:* relay, rings", start: raw("ring"), noIdle: true,
			source: "raw", more: []string{"line"}, client: "raw"},
		{name: "raw-stream", title: "*limit:* relay, stream sockets", start: raw("stream"), noIdle: true,
			source: "raw", more: []string{"line"}, client: "raw"},
		{name: "kbus", title: "**KBUS**", client: "../kbus-bench --client go", start: startKbus},
		{name: "kbus-socket", title: "**KBUS**, socket only", client: "../kbus-bench --client go-socket",
			start: startKbus},
		{name: "kbus-c", title: "**KBUS**, C client", client: "../kbus-bench --client c", start: startKbus},
		{name: "kbus-python", title: "**KBUS**, Python client", client: "kbus_client.py", start: startKbusPython,
			programs: []string{python}, noIdle: true, asksOnly: true},
		{name: "redis", title: "Redis", start: startRedis, source: "redis", client: "redis",
			programs: []string{"redis-server"}, packages: []string{"hiredis"}, debian: "redis-server libhiredis-dev"},
		{name: "dbus-broker", title: "D-Bus, dbus-broker", start: startDbusBroker, source: "sdbus", client: "sdbus",
			programs: []string{"dbus-broker"}, packages: []string{"libsystemd"}, debian: "dbus-broker libsystemd-dev"},
		{name: "dbus-daemon", title: "D-Bus, dbus-daemon", start: startDbusDaemon, source: "sdbus", client: "sdbus",
			programs: []string{"dbus-daemon"}, packages: []string{"libsystemd"}, debian: "dbus-daemon libsystemd-dev"},
		{name: "dbus-python", title: "D-Bus, dbus-daemon, Python client", client: "dbus_client.py", start: startDbusDaemon,
			programs: []string{python, "dbus-daemon"}, modules: []string{"dbus", "gi"}, debian: "dbus-daemon python3-dbus python3-gi",
			noIdle: true, asksOnly: true},
		{name: "mosquitto", title: "MQTT, mosquitto", start: startMosquitto, source: "mosquitto", client: "mosquitto",
			programs: []string{"mosquitto"}, packages: []string{"libmosquitto"}, debian: "mosquitto libmosquitto-dev"},
		{name: "zeromq", title: "ZeroMQ", start: startZmq, source: "zmq", client: "zmq",
			packages: []string{"libzmq"}, debian: "libzmq3-dev"},
		{name: "nng", title: "nng", start: startNng, source: "nng", client: "nng",
			library: "nng/nng.h", link: "nng", debian: "libnng-dev"},
		{name: "nats", title: "NATS", client: "nats", start: startNats},
		{name: "grpc", title: "gRPC, without a bus", client: "grpc", start: startGrpc, noIdle: true, asksOnly: true},
	}
}

// does reports whether a peer has such a test.
func (p *peer) does(t test) bool { return t.words == "rtt" || !p.asksOnly }

func raw(line string) func(*site) ([]string, error) {
	return func(*site) ([]string, error) { return []string{"RAW_LINE=" + line}, nil }
}

// startKbus starts a daemon of its own for each row, so that none finds what another has left.
func startKbus(s *site) ([]string, error) {
	dir := filepath.Join(s.dir, s.peer)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	pid, err := s.start(nil, filepath.Join(s.work, "..", "kbusd"), "--dir", dir)
	if err != nil {
		return nil, err
	}
	return []string{"KBUS_DIR=" + dir, brokers(pid)}, s.waitFor("unix", filepath.Join(dir, "bus0.sock"))
}

// python is the system's, whose packages are those of the system.
const python = "/usr/bin/python3"

// startKbusPython starts a daemon for clients that find their own library and the frame of the measurement.
func startKbusPython(s *site) ([]string, error) {
	environment, err := startKbus(s)
	return append(environment, "PYTHONPATH="+filepath.Join(s.work, "..", "..", "bindings", "python")), err
}

func startRedis(s *site) ([]string, error) {
	socket := filepath.Join(s.dir, "redis.sock")
	config, err := s.file("redis.conf", fmt.Sprintf("port 0\nunixsocket %s\ntcp-backlog 4096\nsave \"\"\nappendonly no\n"+
		"client-output-buffer-limit pubsub 0 0 0\ndir %s\n", socket, s.dir))
	if err != nil {
		return nil, err
	}
	pid, err := s.start(nil, "redis-server", config)
	if err != nil {
		return nil, err
	}
	return []string{"REDIS_SOCKET=" + socket, brokers(pid)}, s.waitFor("unix", socket)
}

// dbusConfig allows everything to everybody, and takes all limits out of the way.
const dbusConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=%s</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*"/><allow eavesdrop="true"/><allow own="*"/></policy>
  <limit name="max_incoming_bytes">1000000000</limit>
  <limit name="max_outgoing_bytes">1000000000</limit>
  <limit name="max_message_size">1000000000</limit>
  <limit name="max_completed_connections">100000</limit>
  <limit name="max_connections_per_user">100000</limit>
  <limit name="max_replies_per_connection">50000</limit>
</busconfig>
`

func startDbusDaemon(s *site) ([]string, error) {
	socket := filepath.Join(s.dir, s.peer+".sock")
	config, err := s.file(s.peer+".conf", fmt.Sprintf(dbusConfig, socket))
	if err != nil {
		return nil, err
	}
	pid, err := s.start(nil, "dbus-daemon", "--config-file="+config, "--nofork", "--nopidfile")
	if err != nil {
		return nil, err
	}
	return []string{"BUS_ADDRESS=unix:path=" + socket, brokers(pid)}, s.waitFor("unix", socket)
}

// startDbusBroker starts it through a controller of ours, since its own wants a whole systemd.
func startDbusBroker(s *site) ([]string, error) {
	socket := filepath.Join(s.dir, "dbus-broker.sock")
	output, err := s.startAndRead(nil, filepath.Join(s.work, "dbus-broker-start"), socket)
	if err != nil {
		return nil, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(output))
	return []string{"BUS_ADDRESS=unix:path=" + socket, brokers(pid)}, err
}

func startMosquitto(s *site) ([]string, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf("listener %d 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\nmax_queued_messages 0\n"+
		"max_queued_bytes 0\nlog_type error\n", port)
	if os.Getuid() == 0 {
		text += "user root\n"
	}
	config, err := s.file("mosquitto.conf", text)
	if err != nil {
		return nil, err
	}
	pid, err := s.start(nil, "mosquitto", "-c", config)
	if err != nil {
		return nil, err
	}
	environment := []string{fmt.Sprintf("MQTT_PORT=%d", port), brokers(pid)}
	return environment, s.waitFor("tcp", fmt.Sprintf("127.0.0.1:%d", port))
}

func startZmq(s *site) ([]string, error) {
	pid, err := s.start([]string{"ZMQ_BROKER=1", "ZMQ_DIR=" + s.dir}, filepath.Join(s.work, "zmq"))
	if err != nil {
		return nil, err
	}
	return []string{"ZMQ_DIR=" + s.dir, brokers(pid)}, s.waitFor("unix", filepath.Join(s.dir, "receive"))
}

func startNats(s *site) ([]string, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	pid, err := s.start(nil, filepath.Join(s.work, "nats-server"), "-a", "127.0.0.1", "-p", strconv.Itoa(port),
		"-l", filepath.Join(s.dir, "nats.log"))
	if err != nil {
		return nil, err
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	return []string{"NATS_URL=nats://" + address, brokers(pid)}, s.waitFor("tcp", address)
}

// startNng hears when it is ready: of a connection that comes and goes without a word nng takes no more of that kind.
func startNng(s *site) ([]string, error) {
	output, err := s.startAndRead([]string{"NNG_BROKER=1", "NNG_DIR=" + s.dir}, filepath.Join(s.work, "nng"))
	pid, _ := strconv.Atoi(strings.TrimSpace(output))
	return []string{"NNG_DIR=" + s.dir, brokers(pid)}, err
}

// startGrpc starts nothing: the client calls the server directly.
func startGrpc(s *site) ([]string, error) {
	return []string{"GRPC_SOCKET=" + filepath.Join(s.dir, "grpc.sock")}, nil
}

func brokers(pid int) string { return "BROKER_PID=" + strconv.Itoa(pid) }
