{{- define "hashcluster.name" -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- end }}

{{- define "hashcluster.operatorName" -}}
{{- $name := include "hashcluster.name" . -}}
{{- if contains "hashcluster" $name }}{{ $name }}-operator{{ else }}{{ $name }}-hashcluster-operator{{ end -}}
{{- end }}

{{- define "hashcluster.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "hashcluster.operatorName" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name must be given when serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end }}

{{- define "hashcluster.selector" -}}
app.kubernetes.io/name: hashcluster-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "hashcluster.labels" -}}
{{ include "hashcluster.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "hashcluster.everywhere" -}}
{{- if has "*" .Values.watchNamespaces -}}
{{- if gt (len .Values.watchNamespaces) 1 }}{{ fail "watchNamespaces: '*' stands alone" }}{{ end -}}
true
{{- end -}}
{{- end }}

{{- /* Where a first HashCluster is looked for: in the namespace of the release if it is watched. */ -}}
{{- define "hashcluster.home" -}}
{{- $namespaces := include "hashcluster.namespaces" . | fromJsonArray -}}
{{- if or (include "hashcluster.everywhere" .) (has .Release.Namespace $namespaces) -}}
{{- .Release.Namespace -}}
{{- else -}}
{{- first $namespaces -}}
{{- end -}}
{{- end }}

{{- /* The namespaces that are watched, as JSON. */ -}}
{{- define "hashcluster.namespaces" -}}
{{- toJson (default (list .Release.Namespace) .Values.watchNamespaces) -}}
{{- end }}

{{- /* Those of the values, and a short wait for lost nodes unless they say otherwise: one without a key is of every taint. */ -}}
{{- define "hashcluster.tolerations" -}}
{{- $all := .Values.tolerations }}
{{- $given := list }}
{{- range .Values.tolerations }}{{ $given = append $given (default "" .key) }}{{ end }}
{{- range $key := list "node.kubernetes.io/not-ready" "node.kubernetes.io/unreachable" }}
{{- if not (or (has "" $given) (has $key $given)) }}
{{- $all = append $all (dict "key" $key "operator" "Exists" "effect" "NoExecute" "tolerationSeconds" 30) }}
{{- end }}
{{- end }}
{{- toJson $all }}
{{- end }}
