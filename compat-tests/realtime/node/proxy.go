package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/centrifugal/centrifuge"
)

// proxy is the RPC proxy of a namespace. Without an endpoint the namespace has none.
type proxy struct {
	Endpoint string `json:"endpoint"`
	// TimeoutMs is a second unless given, as in Centrifugo.
	TimeoutMs int `json:"timeout_ms"`
	// StaticHeaders are sent with each request, unless the client has sent one of ClientHeaders with the same name.
	StaticHeaders map[string]string `json:"static_headers"`
	ClientHeaders []string          `json:"http_headers"`
	IncludeMeta   bool              `json:"include_connection_meta"`
	Binary        bool              `json:"binary_encoding"`
}

// rpcRequest has the fields of Centrifugo's RPCRequest in the order in which it writes them.
type rpcRequest struct {
	Client    string          `json:"client,omitempty"`
	Transport string          `json:"transport,omitempty"`
	Protocol  string          `json:"protocol,omitempty"`
	Encoding  string          `json:"encoding,omitempty"`
	User      string          `json:"user"`
	Method    string          `json:"method,omitempty"`
	Data      json.RawMessage `json:"data,omitempty"`
	B64Data   []byte          `json:"b64data,omitempty"`
	Meta      json.RawMessage `json:"meta,omitempty"`
}

type rpcResponse struct {
	Result *struct {
		Data    json.RawMessage `json:"data"`
		B64Data []byte          `json:"b64data"`
	} `json:"result"`
	Error *struct {
		Code      uint32 `json:"code"`
		Message   string `json:"message"`
		Temporary bool   `json:"temporary"`
	} `json:"error"`
	Disconnect *struct {
		Code   uint32 `json:"code"`
		Reason string `json:"reason"`
	} `json:"disconnect"`
}

type connectionKey string

const (
	headersKey connectionKey = "headers"
	metaKey    connectionKey = "meta"
)

func withHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), headersKey, r.Header)))
	})
}

func connecting(ctx context.Context, event centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
	found, err := parseToken(event.Token)
	if err != nil {
		return centrifuge.ConnectReply{}, err
	}
	return centrifuge.ConnectReply{
		Context:     context.WithValue(ctx, metaKey, found.Meta),
		Credentials: &centrifuge.Credentials{UserID: found.Sub},
	}, nil
}

func callProxy(
	proxies map[string]proxy, client *centrifuge.Client, event centrifuge.RPCEvent,
) (centrifuge.RPCReply, error) {
	namespace, _, isNamed := strings.Cut(event.Method, ":")
	if !isNamed {
		return centrifuge.RPCReply{}, centrifuge.ErrorNotAvailable
	}
	target, isKnown := proxies[namespace]
	if !isKnown {
		return centrifuge.RPCReply{}, centrifuge.ErrorMethodNotFound
	}
	if target.Endpoint == "" {
		return centrifuge.RPCReply{}, centrifuge.ErrorNotAvailable
	}
	answer, err := target.post(client, event)
	if err != nil {
		return centrifuge.RPCReply{}, centrifuge.ErrorInternal
	}
	return answer.toReply()
}

func (p proxy) post(client *centrifuge.Client, event centrifuge.RPCEvent) (*rpcResponse, error) {
	transport := client.Transport()
	request := rpcRequest{
		Client: client.ID(), Transport: transport.Name(), Protocol: string(transport.Protocol()), Encoding: "json",
		User: client.UserID(), Method: event.Method,
	}
	if p.Binary {
		request.Encoding, request.B64Data = "binary", event.Data
	} else {
		request.Data = event.Data
	}
	if meta, isSet := client.Context().Value(metaKey).(json.RawMessage); isSet && p.IncludeMeta {
		request.Meta = meta
	}
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	timeout := time.Second
	if p.TimeoutMs > 0 {
		timeout = time.Duration(p.TimeoutMs) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	call, err := http.NewRequestWithContext(ctx, http.MethodPost, p.Endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	call.Header = p.headers(client)
	response, err := http.DefaultClient.Do(call)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, centrifuge.ErrorInternal
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	answer := &rpcResponse{}
	return answer, json.Unmarshal(text, answer)
}

func (p proxy) headers(client *centrifuge.Client) http.Header {
	headers := http.Header{}
	for name, value := range p.StaticHeaders {
		headers.Set(name, value)
	}
	sent, _ := client.Context().Value(headersKey).(http.Header)
	for _, name := range p.ClientHeaders {
		if value := sent.Get(name); value != "" {
			headers.Set(name, value)
		}
	}
	headers.Set("Content-Type", "application/json")
	return headers
}

func (r *rpcResponse) toReply() (centrifuge.RPCReply, error) {
	switch {
	case r.Disconnect != nil:
		return centrifuge.RPCReply{}, &centrifuge.Disconnect{Code: r.Disconnect.Code, Reason: r.Disconnect.Reason}
	case r.Error != nil:
		return centrifuge.RPCReply{}, &centrifuge.Error{
			Code: r.Error.Code, Message: r.Error.Message, Temporary: r.Error.Temporary,
		}
	case r.Result == nil:
		return centrifuge.RPCReply{}, nil
	case len(r.Result.B64Data) > 0:
		return centrifuge.RPCReply{Data: r.Result.B64Data}, nil
	default:
		return centrifuge.RPCReply{Data: r.Result.Data}, nil
	}
}
