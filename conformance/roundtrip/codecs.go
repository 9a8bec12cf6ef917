package main

import (
	"bytes"
	"io"
	"reflect"
	"sort"

	admissionv1 "k8s.io/api/admission/v1"
	admissionv1beta1 "k8s.io/api/admission/v1beta1"
	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"
	apidiscoveryv2beta1 "k8s.io/api/apidiscovery/v2beta1"
	imagepolicyv1alpha1 "k8s.io/api/imagepolicy/v1alpha1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset/scheme"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1beta1 "k8s.io/apimachinery/pkg/apis/meta/v1beta1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/runtime/serializer/cbor"
	"k8s.io/apimachinery/pkg/runtime/serializer/streaming"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"
	builtin "k8s.io/client-go/kubernetes/scheme"
	aggregator "k8s.io/kube-aggregator/pkg/client/clientset_generated/clientset/scheme"
)

var mediaTypes = []string{
	runtime.ContentTypeJSON, runtime.ContentTypeYAML, runtime.ContentTypeProtobuf, runtime.ContentTypeCBOR,
}

// codecs are upstream's serializers by media type, as its API server and its clients make them.
type codecs struct {
	scheme  *runtime.Scheme
	factory serializer.CodecFactory
	byType  map[string]runtime.SerializerInfo
}

// event is a watch event; Object in the encodings asked for.
type event struct {
	Type   string            `json:"type"`
	Object map[string][]byte `json:"object"`
}

func newCodecs() codecs {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		builtin.AddToScheme, apiextensions.AddToScheme, aggregator.AddToScheme,
		admissionv1.AddToScheme, admissionv1beta1.AddToScheme, apidiscoveryv2.AddToScheme, apidiscoveryv2beta1.AddToScheme,
		imagepolicyv1alpha1.AddToScheme, auditv1.AddToScheme,
		metav1.AddMetaToScheme, metav1beta1.AddMetaToScheme,
	} {
		must(add(scheme))
	}
	factory := serializer.NewCodecFactory(scheme, serializer.WithSerializer(cbor.NewSerializerInfo))
	made := codecs{scheme, factory, map[string]runtime.SerializerInfo{}}
	for _, info := range factory.SupportedMediaTypes() {
		made.byType[info.MediaType] = info
	}
	return made
}

// known is a kind as `roundtrip kinds` lists it.
type known struct {
	schema.GroupVersionKind
	Protobuf bool
}

// kinds lists what the scheme knows, in a fixed order, without internal versions.
func (c codecs) kinds() []known {
	message := reflect.TypeFor[runtime.ProtobufMarshaller]()
	var found []known
	for kind, t := range c.scheme.AllKnownTypes() {
		if kind.Version != runtime.APIVersionInternal {
			found = append(found, known{kind, reflect.PointerTo(t).Implements(message)})
		}
	}
	sort.Slice(found, func(i, j int) bool { return found[i].String() < found[j].String() })
	return found
}

func (c codecs) answer(asked request) answer {
	if asked.Frames {
		events, err := c.readFrames(asked)
		if err != nil {
			return answer{Error: err.Error()}
		}
		return answer{Events: events, Encoded: c.frame(asked.From, events)}
	}
	obj, kind, err := c.byType[asked.From].StrictSerializer.Decode(asked.Data, &asked.Default, nil)
	var warnings string
	if runtime.IsStrictDecodingError(err) {
		warnings, err = err.Error(), nil
	}
	if err != nil {
		return answer{Error: err.Error()}
	}
	encoded, err := c.encode(obj, asked.Want...)
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{Kind: kind, Warnings: warnings, Encoded: encoded}
}

// encode gives the object in these encodings. Protobuf is absent where the kind has none; YAML where upstream
// cannot write it: it reads JSON as YAML, and strings may have line breaks of YAML that JSON does not escape.
func (c codecs) encode(obj runtime.Object, wanted ...string) (map[string][]byte, error) {
	encoded := map[string][]byte{}
	for _, mediaType := range wanted {
		var out bytes.Buffer
		err := c.byType[mediaType].Serializer.Encode(obj, &out)
		switch {
		case err == nil:
			encoded[mediaType] = out.Bytes()
		case mediaType == runtime.ContentTypeProtobuf:
		case mediaType == runtime.ContentTypeYAML:
		default:
			return nil, err
		}
	}
	return encoded, nil
}

func (c codecs) readFrames(asked request) ([]event, error) {
	info := c.byType[asked.From]
	frames := info.StreamSerializer.Framer.NewFrameReader(io.NopCloser(bytes.NewReader(asked.Data)))
	decoder := streaming.NewDecoder(frames, info.StreamSerializer.Serializer)
	var events []event
	for {
		var read metav1.WatchEvent
		_, _, err := decoder.Decode(nil, &read)
		if err == io.EOF {
			return events, nil
		}
		if err != nil {
			return nil, err
		}
		obj, _, err := info.Serializer.Decode(read.Object.Raw, nil, nil)
		if err != nil {
			return nil, err
		}
		encoded, err := c.encode(obj, asked.Want...)
		if err != nil {
			return nil, err
		}
		events = append(events, event{read.Type, encoded})
	}
}

// frame writes the events as a watch of the media type.
func (c codecs) frame(mediaType string, events []event) map[string][]byte {
	stream := c.byType[mediaType].StreamSerializer
	var out bytes.Buffer
	writer := stream.Framer.NewFrameWriter(&out)
	for _, each := range events {
		raw := metav1.WatchEvent{Type: each.Type, Object: runtime.RawExtension{Raw: each.Object[mediaType]}}
		must(stream.Serializer.Encode(&raw, writer))
	}
	return map[string][]byte{mediaType: out.Bytes()}
}
