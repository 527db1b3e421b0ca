// A node for tests, on the library that Centrifugo itself is built on. It reads its configuration as JSON from standard
// input, prints its address, and runs until standard input ends.
//
// It has what the tests need of a node: WebSocket clients with the user of a JWT (whose signature it does not check),
// RPC proxies by namespace, and the methods publish, broadcast, presence and presence_stats of the server API in
// /api/batch.
package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/centrifugal/centrifuge"
)

type config struct {
	APIKey string           `json:"api_key"`
	Rpc    map[string]proxy `json:"rpc"`
}

// claims of a connection JWT.
type claims struct {
	Sub  string          `json:"sub"`
	Meta json.RawMessage `json:"meta"`
}

func main() {
	decoder := json.NewDecoder(os.Stdin)
	var settings config
	check(decoder.Decode(&settings))
	node, err := centrifuge.New(centrifuge.Config{LogLevel: centrifuge.LogLevelNone})
	check(err)
	node.OnConnecting(connecting)
	node.OnConnect(func(client *centrifuge.Client) { serve(client, settings.Rpc) })
	check(node.Run())
	mux := http.NewServeMux()
	socket := centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		CheckOrigin: func(*http.Request) bool { return true },
	})
	mux.Handle("/connection/websocket", withHeaders(socket))
	mux.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") })
	mux.Handle("/api/batch", &api{node: node, key: settings.APIKey})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Printf("http://%s\n", listener.Addr())
	go func() { check(http.Serve(listener, mux)) }()
	_, _ = io.Copy(io.Discard, io.MultiReader(decoder.Buffered(), os.Stdin))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// serve allows every subscription, with presence, and calls the proxies for RPC.
func serve(client *centrifuge.Client, proxies map[string]proxy) {
	client.OnSubscribe(func(_ centrifuge.SubscribeEvent, done centrifuge.SubscribeCallback) {
		done(centrifuge.SubscribeReply{Options: centrifuge.SubscribeOptions{EmitPresence: true}}, nil)
	})
	client.OnRPC(func(event centrifuge.RPCEvent, done centrifuge.RPCCallback) {
		done(callProxy(proxies, client, event))
	})
}

// parseToken reads the claims of a JWT. Without a token the connection is anonymous.
func parseToken(token string) (claims, error) {
	var found claims
	if token == "" {
		return found, nil
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return found, centrifuge.DisconnectInvalidToken
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return found, err
	}
	return found, json.Unmarshal(payload, &found)
}
