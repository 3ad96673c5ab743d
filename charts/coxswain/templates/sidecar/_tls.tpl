{{- /* Not empty where the API speaks TLS to users. */ -}}
{{- define "coxswain.tls" -}}
{{- if ne .Values.tls.mode "none" }}yes{{ end }}
{{- end }}

{{- define "coxswain.tlsSecret" -}}
{{- default (printf "%s-tls" (include "coxswain.name" .)) .Values.tls.secretName -}}
{{- end }}

{{- /* The names that users may know the API by, as a list in JSON. */ -}}
{{- define "coxswain.tlsNames" -}}
{{- $service := printf "%s-api" (include "coxswain.name" .) -}}
{{- $inside := list $service (printf "%s.%s" $service .Release.Namespace) (printf "%s.%s.svc" $service .Release.Namespace) -}}
{{- concat $inside (list (printf "%s.%s.svc.cluster.local" $service .Release.Namespace) "localhost") .Values.tls.dnsNames | uniq | toJson -}}
{{- end }}

{{- define "coxswain.tlsEnv" -}}
{{- if include "coxswain.tls" . }}
- {name: COXSWAIN_CERTIFICATE_FILE, value: /run/coxswain/tls/tls.crt}
- {name: COXSWAIN_CERTIFICATE_KEY_FILE, value: /run/coxswain/tls/tls.key}
- {name: COXSWAIN_HTTPS_PORT, value: "8443"}
{{- if .Values.tls.redirect }}
- {name: COXSWAIN_REDIRECT_PORT, value: "8081"}
- {name: COXSWAIN_REDIRECT_TO, value: {{ .Values.tls.port | int | quote }}}
{{- end }}
{{- end }}
{{- end }}

{{- define "coxswain.tlsPorts" -}}
{{- if include "coxswain.tls" . }}
- {name: api-https, containerPort: 8443}
{{- if .Values.tls.redirect }}
- {name: api-redirect, containerPort: 8081}
{{- end }}
{{- end }}
{{- end }}

{{- define "coxswain.tlsMounts" -}}
{{- if include "coxswain.tls" . }}
- {name: tls, mountPath: /run/coxswain/tls, readOnly: true}
{{- end }}
{{- end }}

{{- /* Whole and not by subPath: the kubelet writes a new certificate into it while the pod runs. */ -}}
{{- define "coxswain.tlsVolumes" -}}
{{- if include "coxswain.tls" . }}
- name: tls
  secret:
    secretName: {{ include "coxswain.tlsSecret" . }}
    items: [{key: tls.crt, path: tls.crt}, {key: tls.key, path: tls.key}]
{{- end }}
{{- end }}
