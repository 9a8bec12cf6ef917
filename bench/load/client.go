package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// bench is a server under load.
type bench struct {
	Settings
	tls *tls.Config
}

func newBench(s Settings) (*bench, error) {
	authority, err := os.ReadFile(s.ca)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	pair, err := tls.LoadX509KeyPair(s.cert, s.key)
	if err != nil {
		return nil, err
	}
	return &bench{s, &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}}}, nil
}

// client is one that shares no connection with others. Bodies are not compressed: not every server
// can, and the rows are about the API.
func (b *bench) client() *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!b.http2)
	protocols.SetHTTP2(b.http2)
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig:     b.tls.Clone(),
		Protocols:           protocols,
		DisableCompression:  true,
		MaxIdleConnsPerHost: 1,
		ReadBufferSize:      64 << 10,
		TLSHandshakeTimeout: time.Minute,
	}}
}

// call is one request; several calls can be made of it.
type call struct {
	method, path, contentType, accept string
	body                              []byte
}

func (b *bench) request(c call) (*http.Request, error) {
	request, err := http.NewRequest(c.method, b.server+c.path, bytes.NewReader(c.body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("User-Agent", "bench/1")
	request.Header.Set("Accept", "application/json")
	if c.accept != "" {
		request.Header.Set("Accept", c.accept)
	}
	if c.body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.contentType != "" {
		request.Header.Set("Content-Type", c.contentType)
	}
	return request, nil
}

// do makes the call and gives the body; answers other than 2xx are errors.
func (b *bench) do(client *http.Client, c call) ([]byte, error) {
	var body bytes.Buffer
	_, err := b.send(client, c, &body)
	return body.Bytes(), err
}

// send makes the call and writes the body to into as it arrives.
func (b *bench) send(client *http.Client, c call, into io.Writer) (int64, error) {
	request, err := b.request(c)
	if err != nil {
		return 0, err
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 1000))
		return 0, fmt.Errorf("%s %s: %s: %s", c.method, c.path, response.Status, text)
	}
	return io.Copy(into, response.Body)
}
