// Go's net/http as a push client: the same requests as the other peers send, read to the end of each answer.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	url := flag.String("url", "", "where to post to")
	caFile := flag.String("ca", "", "PEM of the authority to trust")
	connections := flag.Int("connections", 1, "HTTP/2 connections")
	streams := flag.Int("streams", 100, "requests at once on each connection")
	requests := flag.Int64("requests", 10000, "how many in all")
	bearer := flag.String("bearer", "", "value of the authorization header")
	body := flag.String("body", "", "with %163s where the token stands")
	answer := flag.String("answer", "", "the body that is expected")
	flag.Parse()
	pem, err := os.ReadFile(*caFile)
	if err != nil {
		log.Fatal(err)
	}
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(pem)

	var next atomic.Int64
	post := func(client *http.Client) {
		for index := next.Add(1); index <= *requests; index = next.Add(1) {
			text := strings.Replace(*body, "%163s", fmt.Sprintf("%0163d", index), 1)
			request, _ := http.NewRequest("POST", *url, strings.NewReader(text))
			request.Header.Set("Authorization", *bearer)
			request.Header.Set("Content-Type", "application/json")
			response, err := client.Do(request)
			if err != nil {
				log.Fatal(err)
			}
			said, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil || response.StatusCode != 200 || string(said) != *answer {
				log.Fatalf("not the answer that was expected: %d %v", response.StatusCode, err)
			}
		}
	}
	start := time.Now()
	var done sync.WaitGroup
	for connection := 0; connection < *connections; connection++ {
		// A transport of its own is a connection of its own.
		client := &http.Client{Transport: &http.Transport{
			TLSClientConfig:   &tls.Config{RootCAs: authorities},
			ForceAttemptHTTP2: true,
		}}
		for stream := 0; stream < *streams; stream++ {
			done.Add(1)
			go func() {
				defer done.Done()
				post(client)
			}()
		}
	}
	done.Wait()
	seconds := time.Since(start).Seconds()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	cpu := usage.Utime.Nano() + usage.Stime.Nano()
	fmt.Printf("{\"perSecond\":%f,\"cpuMicrosPerRequest\":%f}\n",
		float64(*requests)/seconds, float64(cpu)/1000/float64(*requests))
}
