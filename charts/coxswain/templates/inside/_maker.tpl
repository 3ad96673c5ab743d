{{- /* Makes certificates that are missing or end soon: the spec of a pod. Call with (list $ "account"). */ -}}
{{- define "coxswain.certificatesPod" -}}
{{- $root := index . 0 -}}
{{- $services := include "coxswain.insideServices" $root | fromJsonArray -}}
{{- $authority := include "coxswain.insideSecret" (list $root "authority") -}}
{{- $wanted := dict -}}
{{- range $services }}
{{- $_ := set $wanted (include "coxswain.insideSecret" (list $root .)) (include "coxswain.insideNames" (list $root .) | fromJsonArray) }}
{{- end -}}
restartPolicy: Never
serviceAccountName: {{ index . 1 }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- include "coxswain.podSecurity" 10001 | nindent 0 }}
{{- include "coxswain.pullSecrets" $root | nindent 0 }}
initContainers:
  # It sees the authority's key, and has no account.
  - name: certificates
    image: {{ $root.Values.image.operator }}
    imagePullPolicy: {{ $root.Values.image.pullPolicy }}
    command: [python3, -c, {{ $root.Files.Get "files/make_certificate.py" | toJson }}]
    env:
      - {name: FOLDER, value: /run/coxswain/made}
      - {name: AUTHORITY, value: {{ $authority }}}
      - {name: STANDING, value: /run/coxswain/standing}
      - {name: WANTED, value: {{ $wanted | toJson | quote }}}
    resources:
      requests: {cpu: 10m, memory: 32Mi, ephemeral-storage: 8Mi}
      limits: {memory: 64Mi, ephemeral-storage: 32Mi}
    {{- include "coxswain.containerSecurity" $root | nindent 4 }}
    volumeMounts:
      - {name: made, mountPath: /run/coxswain/made}
      - {name: standing, mountPath: /run/coxswain/standing, readOnly: true}
containers:
  - name: secrets
    image: {{ $root.Values.image.operator }}
    imagePullPolicy: {{ $root.Values.image.pullPolicy }}
    command: [python3, -c, {{ $root.Files.Get "files/make_secrets.py" | toJson }}]
    env:
      - {name: NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}
      - {name: CERTIFICATES_FOLDER, value: /run/coxswain/made}
      - {name: AUTHORITY, value: {{ $authority }}}
    resources:
      requests: {cpu: 10m, memory: 32Mi, ephemeral-storage: 8Mi}
      limits: {memory: 64Mi, ephemeral-storage: 32Mi}
    {{- include "coxswain.containerSecurity" $root | nindent 4 }}
    volumeMounts:
      - {name: account, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
      - {name: made, mountPath: /run/coxswain/made, readOnly: true}
volumes:
  - name: made
    emptyDir: {medium: Memory, sizeLimit: 1Mi}
  # What is there already, and no key but the authority's: so no right to read a Secret is needed.
  - name: standing
    projected:
      sources:
        - secret:
            name: {{ $authority }}
            optional: true
            items:
              - {key: tls.crt, path: {{ $authority }}/tls.crt}
              - {key: tls.key, path: {{ $authority }}/tls.key}
        {{- range $services }}
        {{- $secret := include "coxswain.insideSecret" (list $root .) }}
        - secret:
            name: {{ $secret }}
            optional: true
            items: [{key: tls.crt, path: {{ $secret }}/tls.crt}]
        {{- end }}
  - name: account
    {{- include "coxswain.accountVolume" $root | nindent 4 }}
{{- end }}

{{- /* The Secrets that it may replace: each certificate, never the authority. As a list in JSON. */ -}}
{{- define "coxswain.certificatesReplaced" -}}
{{- $root := . -}}
{{- $found := list -}}
{{- range include "coxswain.insideServices" . | fromJsonArray }}{{ $found = append $found (include "coxswain.insideSecret" (list $root .)) }}{{ end -}}
{{- $found | toJson -}}
{{- end }}

{{- /* The account that writes what was made. Call with (list $ "name" "annotations, or nothing"). */ -}}
{{- define "coxswain.certificatesAccess" -}}
{{- $root := index . 0 -}}
{{- $name := printf "%s-%s" (include "coxswain.name" $root) (index . 1) -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  {{- include "coxswain.certificatesMetadata" (list $root $name (index . 2)) | nindent 2 }}
automountServiceAccountToken: false
---
# It may make Secrets here, and replace the certificates; it reads none.
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  {{- include "coxswain.certificatesMetadata" (list $root $name (index . 2)) | nindent 2 }}
rules:
  - apiGroups: [""]
    resources: [secrets]
    verbs: [create]
  - apiGroups: [""]
    resources: [secrets]
    resourceNames: {{- include "coxswain.certificatesReplaced" $root | fromJsonArray | toYaml | nindent 6 }}
    verbs: [patch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  {{- include "coxswain.certificatesMetadata" (list $root $name (index . 2)) | nindent 2 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    name: {{ $name }}
    namespace: {{ $root.Release.Namespace }}
{{- end }}

{{- define "coxswain.certificatesMetadata" -}}
{{- $root := index . 0 -}}
name: {{ index . 1 }}
namespace: {{ $root.Release.Namespace }}
labels: {{- include "coxswain.labels" (list $root "certificates") | nindent 2 }}
{{- with index . 2 }}
annotations: {{- . | nindent 2 }}
{{- end }}
{{- end }}
