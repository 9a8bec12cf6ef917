package main

import (
	"embed"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

//go:embed objects/*.json
var objects embed.FS

const (
	namespace    = "bench"     // the data set: pods and deployments
	newNamespace = "bench-new" // where pods are created, and deleted after each measurement
	fanNamespace = "bench-fan" // where pods change that many watch
	fanPods      = 50
	deployments  = 100
	protobuf     = "application/vnd.kubernetes.protobuf"
	strategic    = "application/strategic-merge-patch+json"
	pods         = "/api/v1/namespaces/" + namespace + "/pods"
)

// row makes the calls of one kind of request: n counts up in each worker.
type row struct {
	workers int // 0: as the flag says
	call    func(b *bench, worker, n int) call
	after   func(b *bench) error
}

var rows = map[string]row{
	"get": {call: func(b *bench, worker, n int) call {
		return call{method: "GET", path: pods + "/" + podName(rand.IntN(b.pods))}
	}},
	// Two at once, so that a server with several threads may use both cores of a small machine.
	"list-json": {workers: 2, call: func(b *bench, worker, n int) call {
		return call{method: "GET", path: pods}
	}},
	"list-protobuf": {workers: 2, call: func(b *bench, worker, n int) call {
		return call{method: "GET", path: pods, accept: protobuf}
	}},
	"create": {call: createPod, after: (*bench).clean},
	"status": {call: func(b *bench, worker, n int) call {
		return patchStatus(namespace, podName(own(worker, n, b.workers, b.pods)), n)
	}},
	"apply": {call: func(b *bench, worker, n int) call {
		return applyDeployment(own(worker, n, b.workers, deployments), n)
	}},
}

// own gives each worker objects of its own, so that no two write the same one at once.
func own(worker, n, workers, total int) int {
	share := max(total/workers, 1)
	return (worker*share + n%share) % total
}

func podName(number int) string { return fmt.Sprintf("web-7c5ddbdf54-%05d", number) }

func createPod(b *bench, worker, n int) call {
	name := fmt.Sprintf("web-7c5ddbdf54-%d-%d", worker, n)
	return call{
		method: "POST",
		path:   "/api/v1/namespaces/" + newNamespace + "/pods?fieldManager=bench",
		body:   object("pod", "NAME", name, "NODE", ""),
	}
}

// patchStatus is what a kubelet sends when a container's readiness changes.
func patchStatus(in, name string, n int) call {
	ready := "False"
	if n%2 == 0 {
		ready = "True"
	}
	return call{
		method:      "PATCH",
		path:        "/api/v1/namespaces/" + in + "/pods/" + name + "/status",
		contentType: strategic,
		body:        object("status", "READY", ready, "TIME", stamp(n), "COUNT", fmt.Sprint(n)),
	}
}

func applyDeployment(number, n int) call {
	name := fmt.Sprintf("web-%03d", number)
	return call{
		method:      "PATCH",
		path:        "/apis/apps/v1/namespaces/" + namespace + "/deployments/" + name + "?fieldManager=bench&force=true",
		contentType: "application/apply-patch+yaml",
		body:        object("deployment", "NAME", name, "TAG", fmt.Sprintf("v1.%d", n)),
	}
}

// salt is where counting starts: a measurement must not write what an earlier one has written.
func salt() int { return int(time.Now().UnixMilli() % 1_000_000_000) }

func stamp(n int) string {
	return time.Date(2026, 11, 20, 0, 0, n, 0, time.UTC).Format(time.RFC3339)
}

// object is the template of that name with words replaced: NAME as @NAME@.
func object(name string, pairs ...string) []byte {
	text, err := objects.ReadFile("objects/" + name + ".json")
	if err != nil {
		panic(err)
	}
	filled := string(text)
	for index := 0; index < len(pairs); index += 2 {
		filled = strings.ReplaceAll(filled, "@"+pairs[index]+"@", pairs[index+1])
	}
	return []byte(filled)
}
