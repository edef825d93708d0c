// Command grpc measures a unary call of gRPC over a Unix socket, from the caller straight to the server: there is no bus
// in between, so it does half of what a bus does. GRPC_SOCKET says where the socket is. Payloads are bytes as they are,
// so nothing is spent on coding them.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"

	"kbus.example/kbus/internal/gauge"
)

const method = "/bench.Echo/Echo"

var errNoStream = errors.New("there is no bus, and so nothing to publish to")

// plain leaves bytes as they are.
type plain struct{}

func (plain) Name() string { return "plain" }

func (plain) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (plain) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

type client struct {
	conn   *grpc.ClientConn
	server *grpc.Server
	socket net.Listener
}

func (c *client) Open(role gauge.Role, _ *gauge.Plan) (err error) {
	path := os.Getenv("GRPC_SOCKET")
	switch role {
	case gauge.Requester:
		c.conn, err = grpc.NewClient("unix:"+path, grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultCallOptions(grpc.ForceCodecV2(plain{})))
	case gauge.Replier:
		_ = os.Remove(path) // of the measurement before
		c.server = grpc.NewServer(grpc.ForceServerCodecV2(plain{}))
		c.server.RegisterService(&grpc.ServiceDesc{
			ServiceName: "bench.Echo", HandlerType: (*any)(nil),
			Methods: []grpc.MethodDesc{{MethodName: "Echo", Handler: echo}},
		}, nil)
		c.socket, err = net.Listen("unix", path)
	default:
		err = errNoStream
	}
	return err
}

func echo(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
	data := new([]byte)
	return data, decode(data)
}

func (c *client) Request(data []byte) (answer []byte, err error) {
	err = c.conn.Invoke(context.Background(), method, &data, &answer)
	return answer, err
}

func (c *client) Serve() error { return c.server.Serve(c.socket) }

func (c *client) Publish([]byte) error { return errNoStream }

func (c *client) Flush() error { return errNoStream }

func (c *client) Consume(func([]byte) (bool, error)) error { return errNoStream }

func main() {
	encoding.RegisterCodecV2(plain{})
	err := gauge.Command(os.Args[1:], os.Stdout, "grpc", func() gauge.Client { return &client{} })
	if err != nil {
		fmt.Fprintln(os.Stderr, "grpc:", err)
		os.Exit(1)
	}
}
