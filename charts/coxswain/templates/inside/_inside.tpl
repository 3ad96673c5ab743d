{{- /* Not empty where TLS is spoken inside the cluster: at the doors, and to the bundled Postgres. */ -}}
{{- define "coxswain.inside" -}}
{{- if ne .Values.tls.internal "none" }}yes{{ end }}
{{- end }}

{{- /* Who shows a certificate there, as a list in JSON. */ -}}
{{- define "coxswain.insideServices" -}}
{{- $found := list "api" "models" "egress" -}}
{{- if .Values.channels.enabled }}{{ $found = append $found "channels" }}{{ end -}}
{{- if .Values.postgres.enabled }}{{ $found = append $found "postgres" }}{{ end -}}
{{- $found | toJson -}}
{{- end }}

{{- /* The Secret with a Service's certificate, its key, and who signed it. Call with (list $ "service"). */ -}}
{{- define "coxswain.insideSecret" -}}
{{- printf "%s-inside-%s" (include "coxswain.name" (index . 0)) (index . 1) -}}
{{- end }}

{{- /* The names that a Service is known by, as a list in JSON; localhost is for a forwarded port. */ -}}
{{- define "coxswain.insideNames" -}}
{{- $root := index . 0 -}}
{{- $short := printf "%s-%s" (include "coxswain.name" $root) (index . 1) -}}
{{- $full := printf "%s.%s" $short $root.Release.Namespace -}}
{{- list $short $full (printf "%s.svc" $full) (printf "%s.svc.cluster.local" $full) "localhost" | toJson -}}
{{- end }}

{{- /* Of a container with a door. Call with (list $ "service"), as the two below. */ -}}
{{- define "coxswain.insideEnv" -}}
{{- if include "coxswain.inside" (index . 0) }}
- {name: COXSWAIN_DOOR_CERTIFICATE_FILE, value: /run/coxswain/inside/tls.crt}
- {name: COXSWAIN_DOOR_CERTIFICATE_KEY_FILE, value: /run/coxswain/inside/tls.key}
{{- end }}
{{- end }}

{{- define "coxswain.insideMounts" -}}
{{- if include "coxswain.inside" (index . 0) }}
- {name: inside, mountPath: /run/coxswain/inside, readOnly: true}
{{- end }}
{{- end }}

{{- /* Whole and not by subPath: the kubelet writes a new certificate into it while the pod runs. */ -}}
{{- define "coxswain.insideVolumes" -}}
{{- if include "coxswain.inside" (index . 0) }}
- name: inside
  secret:
    secretName: {{ include "coxswain.insideSecret" . }}
    defaultMode: 0440
    items: [{key: tls.crt, path: tls.crt}, {key: tls.key, path: tls.key}]
{{- end }}
{{- end }}

{{- /* Whom agents trust at the doors, for the operator: no key. */ -}}
{{- define "coxswain.doorsCaEnv" -}}
{{- if include "coxswain.inside" . }}
- {name: COXSWAIN_DOORS_CA_FILE, value: /run/coxswain/doors/ca.crt}
{{- end }}
{{- end }}

{{- define "coxswain.doorsCaMounts" -}}
{{- if include "coxswain.inside" . }}
- {name: doors-ca, mountPath: /run/coxswain/doors, readOnly: true}
{{- end }}
{{- end }}

{{- define "coxswain.doorsCaVolumes" -}}
{{- if include "coxswain.inside" . }}
- name: doors-ca
  secret:
    secretName: {{ include "coxswain.insideSecret" (list . "api") }}
    items: [{key: ca.crt, path: ca.crt}]
{{- end }}
{{- end }}

{{- /* Not empty where the bundled Postgres is spoken to over TLS. */ -}}
{{- define "coxswain.insidePostgres" -}}
{{- if and (include "coxswain.inside" .) .Values.postgres.enabled }}yes{{ end }}
{{- end }}

{{- /* How a port of a door is spoken to, for its Service. */ -}}
{{- define "coxswain.doorProtocol" -}}
{{- if include "coxswain.inside" . }}https{{ else }}http{{ end }}
{{- end }}
